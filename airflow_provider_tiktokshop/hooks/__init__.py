"""Airflow's hooks for TikTok Shop."""
