"""Chest films: one network a finding, each with its own domain and behind one learned gate."""
