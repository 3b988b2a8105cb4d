"""What is handed out of the ledger: charts, tables and files, for moderators and members."""
