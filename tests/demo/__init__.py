"""`make demo`: authorize, rotate and extract in a real Airflow against the emulator, and check the outcome."""
