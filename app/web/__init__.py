"""Rules for every request, of any route: log, problems, guards, OpenAPI."""
