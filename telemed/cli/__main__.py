from telemed.cli.main import main

main()
