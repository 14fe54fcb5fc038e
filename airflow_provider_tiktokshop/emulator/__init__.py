"""A strict local TikTok Shop: the API, the token endpoints and the consent page on one loopback origin.

Start it with ``python -m airflow_provider_tiktokshop.emulator``. It shares no code with the client, so that a mistake in the
client meets a refusal here instead of an accomplice.
"""
