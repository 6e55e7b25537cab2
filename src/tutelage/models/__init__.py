"""Networks: small heads on features, text encoders frozen or whole."""
