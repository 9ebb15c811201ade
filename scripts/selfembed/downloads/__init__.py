"""Files from the network, checked."""
