module portreeve.test/json

go 1.19
