"""The base classes of the app, each with one task: navigation, observations, the armed run."""
