"""Airflow's triggers for TikTok Shop."""
