package main

import (
	"frontdesk/config"
	"frontdesk/tickets"
)

// surveysOf adds to the rules what customers are asked after a closure, and what
// that earns them.
func surveysOf(r *tickets.Rules, cfg *config.Config) {
	s := cfg.Surveys
	r.Surveys = tickets.SurveyRules{
		After: s.After, Window: s.Window, Silence: s.AfterSilence,
		Low: map[tickets.SurveyKind]int{tickets.SurveyCSAT: s.Low.CSAT, tickets.SurveyCES: s.Low.CES, tickets.SurveyNPS: s.Low.NPS},
	}
	for _, k := range s.Kinds {
		r.Surveys.Kinds = append(r.Surveys.Kinds, tickets.SurveyKind(k))
	}
	if after, ok := cfg.FollowUp.After.Elapsed(); ok {
		r.Surveys.FollowUp = after
	}
	r.Rewards = tickets.RewardRules{Feedback: cfg.Rewards.Feedback, Referral: cfg.Rewards.Referral}
	for _, l := range cfg.Rewards.Levels {
		r.Rewards.Levels = append(r.Rewards.Levels, tickets.Level{Key: l.ID, Title: l.Title, Reward: l.Reward, Points: l.Points})
	}
}
