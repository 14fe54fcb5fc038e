"""The TikTok Shop pages inside Airflow."""
