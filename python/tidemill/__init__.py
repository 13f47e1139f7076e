"""What a Tidemill pipeline and Python say to each other: see `tidemill.operator`."""
