package config

import (
	"maps"
	"slices"
	"strings"
)

// Returns says what customers may send back, where to and how long.
type Returns struct {
	Days     int `yaml:"days" default:"0" min:"0" max:"3650" example:"30" doc:"Days after the purchase in which a product may go back; where the day of purchase is not known, agents decide. 0 = returns are not offered, and #rma is refused."`
	SendDays int `yaml:"send_days" default:"14" min:"1" max:"365" doc:"Days that the customer has to send it after a return was opened."`
	// Address is by ID of Config.Brands.
	Address map[string]string `yaml:"address" example:"{example: \"Example Returns, Dock 4, 12345 Springfield\"}" says:"none" doc:"Where goods go, for each brand that takes them back; several lines as a block after |."`
}

func (c *checker) returns() {
	r := c.cfg.Returns
	brands := ids(c.cfg.Brands, func(b Brand) string { return b.ID })
	for _, brand := range slices.Sorted(maps.Keys(r.Address)) {
		key := "returns.address." + brand
		c.reference(key, brand, "brand", brands)
		if strings.TrimSpace(r.Address[brand]) == "" {
			c.at(key, "empty: nobody could send anything there")
		}
	}
	if r.Days > 0 && len(r.Address) == 0 && !c.faulty("returns.address") {
		c.at("returns.address", "missing: where do goods go that come back within %d days?", r.Days)
	}
}
