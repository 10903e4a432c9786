"""The version, kept in the code: a plain checkout, as on Heroku, has no package metadata."""

VERSION = "0.1.0"
