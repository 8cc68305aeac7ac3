"""Demo tenants: sandboxes that customers are shown, pinned to a bundle and brought back to it again and again."""
