"""The console: draw a case, record a decision.

Here: Streamlit pages (screens/), what they share to read (reading), to draw (drawing, charts) and to decide
(deciding), and the entry script (app). Not here: any SQL, rule or threshold: those are in pipelines.
"""
