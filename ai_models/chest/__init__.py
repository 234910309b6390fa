"""Chest films: no model is shipped for them yet, and the answer says so (see `ai_models.reading`)."""
