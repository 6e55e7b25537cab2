"""A finished run behind a web service: `tutelage serve`. It needs the extra serve."""
