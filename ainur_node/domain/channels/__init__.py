"""Payment channels: vouchers, what a payer may still sign, what a payee accepts and when it claims."""
