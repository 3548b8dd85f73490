package tickets

// phone decides about a contact by telephone.
func (d *decision) phone() {
	d.end(DisposeQuarantined, "phone", "the desk does not take calls yet")
}
