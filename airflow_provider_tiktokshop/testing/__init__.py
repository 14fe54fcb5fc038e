"""What users' own tests can build on: a TikTok Shop to test against."""

from __future__ import annotations

from airflow_provider_tiktokshop.testing.emulator import EmulatorError, EmulatorProcess

__all__ = ["EmulatorError", "EmulatorProcess"]
