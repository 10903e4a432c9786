"""The checks of `flask doctor`: whether the service, as it is set up here, can do its work."""
