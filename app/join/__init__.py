"""Join: owners of devices give consent in a browser or by e-mail, and a client may then read their sites."""
