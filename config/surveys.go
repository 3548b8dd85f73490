package config

import (
	"cmp"
	"slices"
	"time"
)

// Surveys says when customers are asked how it was.
type Surveys struct {
	Kinds        []string      `yaml:"kinds" default:"csat, ces, nps" allowed:"csat|ces|nps" doc:"What is asked, in turn: csat (how content, 1 to 5), ces (how easy, 1 to 7), nps (would they recommend the brand, 0 to 10). [] = nobody is asked."`
	After        time.Duration `yaml:"after" default:"1 day" doc:"How long after the closure."`
	Window       time.Duration `yaml:"window" default:"90 days" doc:"Nobody is asked twice within it, by any of their addresses and numbers and by any brand."`
	AfterSilence bool          `yaml:"after_silence" default:"false" doc:"true = those who never answered the resolution are asked, too; false = only those who confirmed it."`
	Low          Low           `yaml:"low" doc:"Scores up to which supervisors are told, with the comment. -1 = never."`
}

// Low are the scores that alert supervisors.
type Low struct {
	CSAT int `yaml:"csat" default:"2" min:"-1" max:"5" doc:"Of 1 to 5."`
	CES  int `yaml:"ces" default:"3" min:"-1" max:"7" doc:"Of 1 to 7."`
	NPS  int `yaml:"nps" default:"6" min:"-1" max:"10" doc:"Of 0 to 10."`
}

// FollowUp asks some time after a closure whether it still works.
type FollowUp struct {
	// After has Unit Never when nobody is asked.
	After Duration `yaml:"after" default:"14 days" doc:"How long after a closure that the customer confirmed; once for each ticket, and not when a survey was asked within its window. never = nobody is asked."`
}

// Rewards says what feedback and recommendations earn.
type Rewards struct {
	Feedback int     `yaml:"feedback" default:"10" min:"0" doc:"Points for an answered survey. 0 = none."`
	Referral int     `yaml:"referral" default:"50" min:"0" doc:"Points for a new customer who named one's code, once their first request is solved. 0 = none."`
	Levels   []Level `yaml:"levels,named" key:"silver" says:"none: points are counted, and nobody is told" doc:"Levels of points. Who reaches one is told, once."`
}

// Level is reached with Points.
type Level struct {
	// ID is the name of the block.
	ID     string `yaml:"-"`
	Title  string `yaml:"title" says:"the name of the block" example:"Silver" doc:"Name in letters."`
	Points int    `yaml:"points" required:"true" min:"1" example:"100" doc:"Points to reach it."`
	Reward string `yaml:"reward" says:"nothing but the thanks" example:"Free cleaning at the next service" doc:"What it brings, as the letter says it."`
}

func fillRewards(cfg *Config) {
	for i := range cfg.Rewards.Levels {
		l := &cfg.Rewards.Levels[i]
		l.Title = cmp.Or(l.Title, l.ID)
	}
}

func (c *checker) surveys() {
	s := c.cfg.Surveys
	for i, k := range s.Kinds {
		if slices.Index(s.Kinds, k) < i {
			c.at("surveys.kinds", "%s is named twice", k)
		}
	}
	if len(s.Kinds) > 0 && s.Window < s.After && !c.faulty("surveys.window") {
		c.at("surveys.window", "shorter than after: a customer would be asked about each of their tickets")
	}
	f := c.cfg.FollowUp.After
	if _, elapsed := f.Elapsed(); !elapsed && f.Unit != UnitNever {
		c.at("follow_up.after", "%s is counted in business hours (allowed: 14 days, never)", f)
	}
	points := map[int]string{}
	for _, l := range c.cfg.Rewards.Levels {
		key := "rewards.levels." + l.ID
		if other := points[l.Points]; other != "" && l.Points > 0 {
			c.at(key+".points", "%d are those of level %s already", l.Points, other)
		}
		points[l.Points] = l.ID
	}
}
