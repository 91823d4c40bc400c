module culvert

go 1.25
