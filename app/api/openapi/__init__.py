"""The description of the API, /openapi.json: what routes and schemas declare, finished on the first request for it."""
