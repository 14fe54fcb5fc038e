"""What the system tests and the demo share: a real Airflow, its REST API, a private PostgreSQL."""
