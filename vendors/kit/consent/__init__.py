"""Consent of owners: authorization in a browser, consent by e-mail, and the registration of an application."""
