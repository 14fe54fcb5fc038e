"""Airflow's sensors for TikTok Shop."""
