package main

import "github.com/spf13/cobra"

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "frontdesk",
		Short:         "a support desk that lives in mail",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().String("config", "", "configuration file (default $FRONTDESK_CONFIG, else /etc/frontdesk/frontdesk.yaml)")
	root.AddCommand(
		initCommand(),
		checkCommand(),
		runCommand(),
		demoCommand(),
		versionCommand(),
		manCommand(),
		parseCommand(),
		ticketsCommand(),
		customersCommand(),
		importCommand(),
		productsCommand(),
		articlesCommand(),
		returnsCommand(),
		explainCommand(),
		slaCommand(),
		scheduleCommand(),
		reportCommand(),
		threadCommand(),
		deliverCommand(),
		decideCommand(),
		reconcileCommand(),
		mailboxCommand(),
		quarantineCommand(),
		outboxCommand(),
		lettersCommand(),
		blobsCommand(),
		backupCommand(),
		restoreCommand(),
		migrateCommand(),
		doctorCommand(),
		nodesCommand(),
	)
	return root
}
