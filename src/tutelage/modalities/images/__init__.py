"""Images: decoded, checked, viewed; what reads them and the networks trained on them."""
