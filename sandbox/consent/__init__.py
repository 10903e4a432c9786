"""Owners, their consents, the page on which they give them, and the codes that follow. All owners are made up."""
