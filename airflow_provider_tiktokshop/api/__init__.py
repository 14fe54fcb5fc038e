"""Talks to TikTok Shop. Imports no Airflow: usable from a plain script."""
