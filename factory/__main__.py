from factory.cli.runs import app

app()
