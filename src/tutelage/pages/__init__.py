"""The one look of all pages: a style sheet with light and dark colours, and the components that several pages share."""
