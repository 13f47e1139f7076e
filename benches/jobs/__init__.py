"""The jobs: a file each. `order.txt` has their order on the page."""
