"""The promises under fire: each drill breaks something on purpose, and looks at rows and bytes afterwards."""
