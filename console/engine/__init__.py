"""Orchestration over ports: who is asked, in which order, and what is written down before anything is sent."""
