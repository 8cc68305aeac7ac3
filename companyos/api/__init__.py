"""The REST face: sandboxes over HTTP, by the same `Sandboxes` as the command line.

`application` makes the ASGI application of a `Service`; routes take requests apart and put answers together, and know nothing of how a
sandbox is made. Errors are problem documents (RFC 9457), and `openapi_document` tells all of it to machines.
"""
