"""Airflow's operators for TikTok Shop."""
