-- vllm: canonical rows as vLLM's request log has them at level DEBUG, answers logged: three lines each.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/vllm.py.
SELECT unnest([
    concat(before, 'Request ', provider_request_id, ' details: prompt: ', text_repr(prompt),
           ', prompt_token_ids: None, prompt_embeds shape: None.'),
    concat(before, 'Received request ', provider_request_id, ': params: SamplingParams(n=', coalesce(n_choices::VARCHAR, 'None'),
           ', temperature=', coalesce(temperature::VARCHAR, 'None'), ', top_p=', coalesce(top_p::VARCHAR, 'None'),
           ', stop=[], max_tokens=', coalesce(max_tokens::VARCHAR, 'None'),
           ', logprobs=', coalesce(top_logprobs::VARCHAR, 'None'), '), lora_request: None.'),
    concat(before, 'Generated response ', provider_request_id, ': output: ', text_repr(response),
           ', output_token_ids: None, finish_reason: ', coalesce(chat_finish_reason(r), 'None'))]) AS line
FROM (
    SELECT r, *, concat('INFO ', strftime(ts, '%Y-%m-%dT%H:%M:%SZ'), ' [logger.py:40] ') AS before
    FROM request AS r
)
