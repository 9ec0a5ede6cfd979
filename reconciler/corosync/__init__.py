"""What Corosync says about itself: rings, links, quorum. Pure."""
