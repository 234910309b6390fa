"""`telemed ...`: every command has --help, exits non-zero on failure, and says what to do next."""
