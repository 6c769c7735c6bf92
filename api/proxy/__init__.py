"""The server's port as an HTTPS proxy: programs that ask AWS by its own names are answered here.

`authority` makes the certificates, `tunnel` ends the TLS, `connection` reads what clients ask of a proxy. What comes
out of a tunnel is a request like any other, with the name that was asked for as its Host. What clients need for it:
`sagelet/proxied.py`.
"""

FOLDER = "proxy"
"""In the data folder: the authority's certificate, and its key, which only its owner can read."""
