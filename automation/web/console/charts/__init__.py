"""Where the shapes of a chart lie; the macros in html/console/charts draw them."""
