-- learned_order: what past decisions taught about the order of the queue. Reads night.learned_order.
SELECT * FROM night.learned_order ORDER BY level
