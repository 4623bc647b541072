"""The stage `receive`: what a carrier posts is proven, sealed, kept on disk and accepted. Nothing else happens here."""
