"""Airflow's notifiers for TikTok Shop."""
