"""The console: pages for support staff, marketers and whoever is on call."""
