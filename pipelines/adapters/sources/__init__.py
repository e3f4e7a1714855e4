"""Log formats of gateways and providers: one module each, and a line here.

Here: the list. Not here: what a source is (`adapters.source`), how to add one (docs/adding-a-source.md).
"""

from collections.abc import Mapping
from types import MappingProxyType

from pipelines.adapters.source import Source, Writing
from pipelines.adapters.sources.azure_apim import AZURE_APIM, AZURE_APIM_STORAGE
from pipelines.adapters.sources.bedrock import BEDROCK
from pipelines.adapters.sources.cloudflare import CLOUDFLARE, CLOUDFLARE_LOGPUSH
from pipelines.adapters.sources.cloudtrail import CLOUDTRAIL
from pipelines.adapters.sources.databricks import DATABRICKS
from pipelines.adapters.sources.envoy import ENVOY
from pipelines.adapters.sources.gateway import GATEWAY
from pipelines.adapters.sources.helicone import HELICONE
from pipelines.adapters.sources.kong import KONG
from pipelines.adapters.sources.langfuse import LANGFUSE
from pipelines.adapters.sources.litellm import LITELLM
from pipelines.adapters.sources.litellm_spend import SPEND
from pipelines.adapters.sources.nginx import NGINX
from pipelines.adapters.sources.otel import OTEL
from pipelines.adapters.sources.otel_records import OTEL_RECORDS
from pipelines.adapters.sources.portkey import PORTKEY
from pipelines.adapters.sources.vertex import VERTEX
from pipelines.adapters.sources.vllm import UVICORN, VLLM

_ALL = (
    LITELLM,
    SPEND,
    OTEL,
    OTEL_RECORDS,
    BEDROCK,
    AZURE_APIM,
    AZURE_APIM_STORAGE,
    CLOUDTRAIL,
    KONG,
    ENVOY,
    NGINX,
    CLOUDFLARE,
    CLOUDFLARE_LOGPUSH,
    DATABRICKS,
    VERTEX,
    HELICONE,
    PORTKEY,
    LANGFUSE,
    VLLM,
    UVICORN,
    GATEWAY,
)

SOURCES: Mapping[str, Source] = MappingProxyType({source.name: source for source in _ALL})
"""Every foreign format, most particular first: the first that knows a file's records reads it."""

WRITINGS: Mapping[str, tuple[Source, Writing]] = MappingProxyType(
    {name: (source, writing) for source in SOURCES.values() for name, writing in source.writings.items()}
)
"""What `simulate --log-format` can write besides our own: name to the source that reads it, and how."""
