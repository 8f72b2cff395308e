module bellhop.test/lab/pause

go 1.21
