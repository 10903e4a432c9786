"""Tesla's Fleet API, its energy endpoints, and the token endpoint that belongs to them.

One account lives in one region. `/tesla` plays the instance of North America, `/tesla/eu` that of Europe and
`/tesla/cn` that of China; each answers 421 to an account of another one. The ready account lives in North America,
unless `PUT /options/tesla {"region": "eu"}` moves it; `GET /` names one more account that always lives in Europe.
`/tesla/oauth2/v3/token` serves all, as the real one does but for China. Commands are not played.
"""

from sandbox.tesla.dialect import Tesla

__all__ = ["Tesla"]
