"""``airflow tiktokshop …`` and the console script ``airflow-tiktokshop``."""
