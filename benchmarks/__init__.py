"""`make bench`: what Sagelet costs, as ratios within one run, against moto_server, a bare script and the libraries."""
