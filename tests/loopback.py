"""Calls to servers on this machine. They are plain HTTP: no certificate is read, which takes longer than the call."""

import ssl
from functools import partial

import httpx

TRUSTED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # nobody

request = partial(httpx.request, verify=TRUSTED, trust_env=False)
get = partial(httpx.get, verify=TRUSTED, trust_env=False)
post = partial(httpx.post, verify=TRUSTED, trust_env=False)
delete = partial(httpx.delete, verify=TRUSTED, trust_env=False)
